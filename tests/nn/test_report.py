"""Callbacks that report: what they write and send is what training gave."""

import http.server
import json
import struct
import threading
import urllib.parse

import numpy as np
import pytest

from wordrow import Dense, Embedding, GlobalAveragePooling1D, Sequential
from wordrow.nn.callbacks import ProgbarLogger, RemoteMonitor, TensorBoard


@pytest.fixture
def trained(rng):
    def train(callback, **options):
        model = Sequential([Embedding(10, 3), GlobalAveragePooling1D(), Dense(1)])
        model.compile("adam", "mse")
        x, y = rng.integers(0, 10, (12, 4)), rng.normal(size=12)
        history = model.fit(
            x,
            y,
            batch_size=4,
            epochs=2,
            validation_data=(x, y),
            callbacks=[callback],
            verbose=0,
            **options,
        )
        return model, history.history

    return train


def events(folder):
    """Return {tag: [(step, number)]} of the event files in a folder."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict = {}
    for path in folder.glob("events*"):
        data = path.read_bytes()
        while data:
            (n,) = struct.unpack("<Q", data[:8])
            event, data = Event.FromString(data[12 : 12 + n]), data[16 + n :]
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_curves_histograms_and_rows(trained, tmp_path):
    pytest.importorskip("tensorboardX")
    words = tmp_path / "words.tsv"
    words.write_text("pad\nfirst\nsecond\n", encoding="utf-8")
    board = TensorBoard(
        tmp_path / "log",
        histogram_freq=1,
        embeddings_freq=2,
        embeddings_metadata=words,
        update_freq=2,
    )
    model, history = trained(board)
    train, validation = events(tmp_path / "log/train"), events(tmp_path / "log/validation")
    for found, name in ((train, "loss"), (validation, "val_loss")):
        assert [step for step, _ in found["epoch_loss"]] == [0, 1]
        np.testing.assert_allclose([v for _, v in found["epoch_loss"]], history[name], rtol=1e-5)
    np.testing.assert_allclose([v for _, v in train["epoch_learning_rate"]], 0.001, rtol=1e-5)
    assert [step for step, _ in train["batch_loss"]] == [2, 4, 6]
    assert {"dense/kernel", "embedding/embeddings"} <= set(train)
    (tensors,) = (tmp_path / "log/train").rglob("tensors.tsv")
    assert np.loadtxt(tensors).shape == (10, 3)
    (names,) = (tmp_path / "log/train").rglob("metadata.tsv")
    assert names.read_text(encoding="utf-8").split()[:4] == ["pad", "first", "second", "3"]
    assert model.step == 6


def test_numbers_are_sent(trained):
    received = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["X-Key"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        _, history = trained(RemoteMonitor(root, headers={"X-Key": "k"}))
        trained(RemoteMonitor(root, "/json", send_as_json=True))
        server.shutdown()
    path, key, body = received[0]
    assert (path, key) == ("/publish/epoch/end/", "k")
    sent = json.loads(urllib.parse.parse_qs(body)["data"][0])
    assert sent == {"epoch": 0, "loss": history["loss"][0], "val_loss": history["val_loss"][0]}
    assert received[2][0] == "/json"
    assert json.loads(received[3][2])["epoch"] == 1


def test_a_server_that_is_not_there_is_said_once(trained):
    with pytest.warns(UserWarning, match="cannot be reached") as told:
        trained(RemoteMonitor("http://127.0.0.1:9"))
    assert len(told) == 1
    with pytest.raises(ValueError, match="must begin with http"):
        RemoteMonitor("file:///etc/passwd")


def test_numbers_where_fit_is_silent(trained, capsys):
    trained(ProgbarLogger())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1", "epoch 2"]
    assert "val_loss" in lines[1]


def test_wrong_settings():
    with pytest.raises(ValueError, match="`update_freq` must be"):
        TensorBoard("log", update_freq=0)
