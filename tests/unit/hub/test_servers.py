"""The servers that other tests are handed do start, stop and come back."""

import psycopg
import pytest
import redis

from tests.servers import private_postgres, private_redis


@pytest.mark.postgres
def test_a_private_postgres_comes_back_after_a_crash(tmp_path):
    with private_postgres(tmp_path / "pg") as server:
        server.stop("immediate")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url)
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.redis
def test_a_private_redis_is_empty_after_a_restart(tmp_path):
    with private_redis(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("name", "value")
        server.stop()
        server.start()
        assert client.get("name") is None
