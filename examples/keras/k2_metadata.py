"""Keras 2.3: text and metadata in one model, with an auxiliary output."""

import numpy as np
from keras.layers import LSTM, BatchNormalization, Concatenate, Dense, Embedding, Input
from keras.models import Model
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

np.random.seed(8)
texts = ["the food was cold", "great food and great people", "never again", "what a lovely place"]
texts, n = texts * 10, 40
stars = np.array([1, 5, 1, 4] * 10)
meta = np.column_stack([[len(text) for text in texts], np.random.rand(n)]).astype("float32")
tokenizer = Tokenizer(num_words=30, oov_token="<OOV>")
tokenizer.fit_on_texts(texts)
X = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=6, padding="post", truncating="post")
nlp_input = Input(shape=(6,), name="nlp_input")
meta_input = Input(shape=(2,), name="meta_input")
nlp_out = LSTM(8)(Embedding(output_dim=8, input_dim=31, input_length=6)(nlp_input))
auxiliary = Dense(1, activation="sigmoid", name="aux")(nlp_out)
x = Concatenate()([nlp_out, BatchNormalization()(meta_input)])
x = Dense(8, activation="relu")(x)
model = Model(inputs=[nlp_input, meta_input], outputs=[Dense(1, name="stars")(x), auxiliary])
model.compile(
    optimizer="adam",
    loss={"stars": "mse", "aux": "binary_crossentropy"},
    loss_weights={"stars": 1.0, "aux": 0.2},
    metrics={"aux": ["accuracy"]},
)
history = model.fit(
    {"nlp_input": X, "meta_input": meta},
    {"stars": stars, "aux": (stars > 3).astype(int)},
    epochs=2,
    batch_size=10,
    verbose=0,
)
print(sorted(history.history), [p.shape for p in model.predict([X, meta])])
