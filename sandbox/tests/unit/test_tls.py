"""The throw-away certificate authority."""

import asyncio
import ssl
import stat
from pathlib import Path

import pytest

from sandbox.tls import Authority


async def handshake(authority: Authority, name: str, client: ssl.SSLContext) -> None:
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=authority.server_context()
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        writer.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "contosoacr.azurecr.io", "management.azure.com"])
async def test_a_client_that_trusts_the_ca_accepts_the_server_under_its_names(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)

    await handshake(authority, name, ssl.create_default_context(cafile=str(authority.ca_file)))


async def test_strict_verification_accepts_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    client = ssl.create_default_context(cafile=str(authority.ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    await handshake(authority, "localhost", client)


async def test_a_client_that_does_not_trust_the_ca_refuses(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(Authority(tmp_path), "localhost", ssl.create_default_context())


def test_an_authority_in_the_folder_is_used_again(tmp_path: Path) -> None:
    first = Authority(tmp_path).ca_file.read_bytes()

    assert Authority(tmp_path).ca_file.read_bytes() == first


def test_the_private_key_is_for_the_owner_only(tmp_path: Path) -> None:
    Authority(tmp_path)

    assert stat.S_IMODE((tmp_path / "server.pem").stat().st_mode) == 0o600
