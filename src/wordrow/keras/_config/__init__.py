"""The configs that Keras describes models with: read into models, and written from them."""

__all__: list[str] = []
