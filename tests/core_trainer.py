"""The core's training of Embedding, mean, Dense by itself: for tests of the kernels alone."""

import numpy as np

from wordrow import _core


class CoreTrainer:
    """Trains three arrays in place. table: [V, D]; kernel: [D, units]; bias: [units]."""

    def __init__(self, table, kernel, bias, *, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.table, self.kernel, self.bias = table, kernel, bias
        self.last = np.zeros(len(table), np.int32)
        self.interleaved = _core.interleave(table, None, None)
        self.rows = _core.RowTable(self.interleaved, self.last)
        self.optimizer = _core.RowOptimizer(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, step=0)
        self.dense = {}
        for name, weight in (("kernel", kernel), ("bias", bias)):
            zeros = [np.zeros(weight.size, np.float32) for _ in range(2)]
            self.dense |= {name: weight.reshape(-1), f"{name}_m": zeros[0], f"{name}_v": zeros[1]}

    @property
    def step(self):
        return self.optimizer.step

    def lay_out(self, ragged):
        return _core.BagDocuments(ragged.ids, ragged.offsets, n_rows=len(self.table))

    def train(self, documents, labels, *, order, batch_size, learning_rates, watch=None):
        """Return (texts seen, mean loss, accuracy before each step)."""
        try:
            n, loss, n_correct, _ = _core.train_bag(
                self.optimizer,
                self.rows,
                labels,
                documents,
                targets=None,
                order=order,
                batch_size=batch_size,
                learning_rates=learning_rates,
                watch=watch,
                sigmoid=len(self.bias) == 1,
                max_pool=False,
                dropout=0.0,
                seed=0,
                **self.dense,
            )
        finally:
            self.optimizer.flush(self.rows)
            self.table[:] = self.interleaved[:, 0]
        return n, loss / n, n_correct / n
