"""Keras 2.3: a grid over settings by scikit-learn, and a pipeline's cross-validation."""

import numpy as np
from keras.layers import Conv1D, Dense, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

np.random.seed(12)
X = np.random.randint(1, 25, (60, 8))
y = (X == 4).any(axis=1).astype(int)


def create_model(num_filters=8, kernel_size=3, vocab_size=25, embedding_dim=6, maxlen=8):
    model = Sequential()
    model.add(Embedding(vocab_size, embedding_dim, input_length=maxlen))
    model.add(Conv1D(num_filters, kernel_size, activation="relu"))
    model.add(GlobalMaxPooling1D())
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


model = KerasClassifier(build_fn=create_model, epochs=1, batch_size=20, verbose=False)
grid = GridSearchCV(estimator=model, param_grid={"num_filters": [4, 8]}, cv=2, n_jobs=1)
result = grid.fit(X, y)
print(sorted(result.best_params_), 0 <= result.best_score_ <= 1, grid.score(X, y) <= 1)
search = RandomizedSearchCV(model, {"kernel_size": [2, 3]}, n_iter=2, cv=2, random_state=0)
print(search.fit(X, y).best_estimator_.predict(X[:3]).shape)
