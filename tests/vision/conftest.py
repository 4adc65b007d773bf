from tests.vision.few import few

__all__ = ["few"]
