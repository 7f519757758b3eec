from wordrow.datasets import imdb as imdb
from wordrow.datasets import reuters as reuters
from wordrow.datasets.table import Table as Table
from wordrow.datasets.table import read_table as read_table
