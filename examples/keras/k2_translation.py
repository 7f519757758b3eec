"""Keras 2: sequence to sequence, trained with the answer shifted, then step by step."""

import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Model

rng = np.random.RandomState(0)
n_in, n_out, length, units = 6, 7, 5, 16
source = rng.randint(0, n_in, (40, length))
encoder_data = np.eye(n_in)[source]
target = np.concatenate([np.full((40, 1), 6), source[:, ::-1]], axis=1)  # 6: the beginning
decoder_data, answers = np.eye(n_out)[target[:, :-1]], np.eye(n_out)[target[:, 1:]]

encoder_inputs = Input(shape=(None, n_in))
encoder = LSTM(units, return_state=True)
_, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, n_out))
decoder_lstm = LSTM(units, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(n_out, activation="softmax")
model = Model([encoder_inputs, decoder_inputs], decoder_dense(decoder_outputs))
model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
model.fit([encoder_data, decoder_data], answers, batch_size=8, epochs=2, verbose=0)

encoder_model = Model(encoder_inputs, encoder_states)
held_h, held_c = Input(shape=(units,)), Input(shape=(units,))
outputs, h, c = decoder_lstm(decoder_inputs, initial_state=[held_h, held_c])
decoder_model = Model([decoder_inputs, held_h, held_c], [decoder_dense(outputs), h, c])
states = encoder_model.predict(encoder_data[:1])
token, found = np.eye(n_out)[[[6]]], []
for _ in range(length):
    shares, h, c = decoder_model.predict([token, *states])
    found.append(int(shares[0, -1].argmax()))
    token, states = np.eye(n_out)[[[found[-1]]]], [h, c]
print(source[0].tolist(), "->", found)
