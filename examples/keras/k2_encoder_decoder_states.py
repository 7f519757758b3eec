"""Keras 2.1: a sequence to a sequence, and greedy decoding with the states."""

import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Model

np.random.seed(4)
input_texts = ["go", "run", "who", "wow", "fire", "help"]
target_texts = ["\t" + text[::-1] + "\n" for text in input_texts]
tokens_in = sorted(set("".join(input_texts)))
tokens_out = sorted(set("".join(target_texts)))
index_in = {char: i for i, char in enumerate(tokens_in)}
index_out = {char: i for i, char in enumerate(tokens_out)}
n_in, n_out = max(map(len, input_texts)), max(map(len, target_texts))
encoder_data = np.zeros((6, n_in, len(tokens_in)), dtype="float32")
decoder_data = np.zeros((6, n_out, len(tokens_out)), dtype="float32")
target_data = np.zeros((6, n_out, len(tokens_out)), dtype="float32")
for i, (text, target) in enumerate(zip(input_texts, target_texts)):
    for t, char in enumerate(text):
        encoder_data[i, t, index_in[char]] = 1.0
    for t, char in enumerate(target):
        decoder_data[i, t, index_out[char]] = 1.0
        if t > 0:
            target_data[i, t - 1, index_out[char]] = 1.0

latent_dim = 16
encoder_inputs = Input(shape=(None, len(tokens_in)))
_, state_h, state_c = LSTM(latent_dim, return_state=True)(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, len(tokens_out)))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(len(tokens_out), activation="softmax")
model = Model([encoder_inputs, decoder_inputs], decoder_dense(decoder_outputs))
model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
model.fit([encoder_data, decoder_data], target_data, batch_size=3, epochs=2, verbose=0)

encoder_model = Model(encoder_inputs, encoder_states)
state_inputs = [Input(shape=(latent_dim,)), Input(shape=(latent_dim,))]
outputs, h, c = decoder_lstm(decoder_inputs, initial_state=state_inputs)
decoder_model = Model([decoder_inputs] + state_inputs, [decoder_dense(outputs), h, c])
states = encoder_model.predict(encoder_data[:1])
decoded, sampled = "", "\t"
while sampled != "\n" and len(decoded) < 8:
    target_seq = np.zeros((1, 1, len(tokens_out)))
    target_seq[0, 0, index_out[sampled]] = 1.0
    output_tokens, h, c = decoder_model.predict([target_seq] + states)
    sampled = tokens_out[np.argmax(output_tokens[0, -1, :])]
    decoded += sampled
    states = [h, c]
print(repr(decoded))
