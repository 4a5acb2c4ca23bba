"""Which objects exist: made once from the settings, found by class."""

from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret

T = TypeVar("T")


@dataclass
class Runtime:
    """The objects of one process, by class."""

    services: dict[type, Any] = field(default_factory=dict)

    def service(self, kind: type[T]) -> T:
        """The one instance of `kind`."""
        return cast(T, self.services[kind])

    def add(self, instance: T, kind: type[T] | None = None) -> T:
        """Register an instance under its class."""
        self.services[kind or type(instance)] = instance
        return instance


def build(settings: Settings) -> Runtime:
    """Settings, keys, vault and database; opens nothing on disk but `secret.key`."""
    settings.home.mkdir(parents=True, exist_ok=True)
    runtime = Runtime()
    runtime.add(settings)
    keys = runtime.add(Keys(load_secret(settings)))
    runtime.add(Vault(keys))
    runtime.add(Database(settings.relational_url))
    return runtime
