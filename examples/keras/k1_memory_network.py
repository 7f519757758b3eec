"""Keras 1: an end-to-end memory network, of models that are merged models."""

import numpy as np
from keras.layers import LSTM, Activation, Dense, Dropout, Embedding, Merge, Permute
from keras.models import Sequential

np.random.seed(2)
vocab_size, story_maxlen, query_maxlen = 20, 9, 4
stories = np.random.randint(1, vocab_size, (32, story_maxlen))
queries = np.random.randint(1, vocab_size, (32, query_maxlen))
answers = np.eye(vocab_size)[stories[:, 0]]

input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=vocab_size, output_dim=16, input_length=story_maxlen))
input_encoder_m.add(Dropout(0.3))
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=vocab_size, output_dim=16, input_length=query_maxlen))
question_encoder.add(Dropout(0.3))
match = Sequential()
match.add(Merge([input_encoder_m, question_encoder], mode="dot", dot_axes=[2, 2]))
match.add(Activation("softmax"))
input_encoder_c = Sequential()
input_encoder_c.add(
    Embedding(input_dim=vocab_size, output_dim=query_maxlen, input_length=story_maxlen)
)
input_encoder_c.add(Dropout(0.3))
response = Sequential()
response.add(Merge([match, input_encoder_c], mode="sum"))
response.add(Permute((2, 1)))
answer = Sequential()
answer.add(Merge([response, question_encoder], mode="concat", concat_axis=-1))
answer.add(LSTM(8))
answer.add(Dropout(0.3))
answer.add(Dense(vocab_size))
answer.add(Activation("softmax"))
answer.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
inputs = [stories, queries, stories]
answer.fit(inputs, answers, batch_size=16, nb_epoch=1, verbose=0)
print(answer.predict(inputs, verbose=0).shape)
