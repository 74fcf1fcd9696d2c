# The bot alone, without the sandbox. Build and run:
#
#   docker build --tag registry-bot .
#   docker run --read-only --tmpfs /tmp --env-file bot.env --volume registry-bot-data:/data \
#     --volume "$PWD/config:/app/config:ro" registry-bot
#
# At the first stage everything is installed by hash into an environment; the second one gets that environment, a list of
# its packages (/app/sbom.cdx.json, CycloneDX), and the code. `docker buildx build --sbom=true` lists the system's too.
FROM python:3.11.16-slim-trixie@sha256:be1575ed968de893bd54f4c56315ff7c4736ce522c1bca08fd521731aafc0d76 AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements/runtime.txt requirements/traces.txt requirements/release.txt /build/
RUN python -m venv /opt/bot \
    && /opt/bot/bin/python -m pip install --require-hashes --only-binary :all: --requirement /build/runtime.txt \
       --requirement /build/traces.txt \
    && /opt/bot/bin/python -m compileall -q /opt/bot/lib \
    && /opt/bot/bin/python -m pip uninstall --yes setuptools pip
RUN python -m venv /build/release \
    && /build/release/bin/python -m pip install --require-hashes --only-binary :all: --requirement /build/release.txt \
    && /build/release/bin/cyclonedx-py environment /opt/bot/bin/python --output-reproducible \
       --output-file /build/sbom.cdx.json

FROM python:3.11.16-slim-trixie@sha256:be1575ed968de893bd54f4c56315ff7c4736ce522c1bca08fd521731aafc0d76
# Numbers, so that Kubernetes can see that it is not root (runAsNonRoot).
RUN groupadd --system --gid 10001 bot \
    && useradd --system --uid 10001 --gid bot --home-dir /data --no-create-home --shell /usr/sbin/nologin bot \
    && install --directory --owner=bot --group=bot --mode=0700 /data
COPY --from=packages /opt/bot /opt/bot
WORKDIR /app
COPY --from=packages /build/sbom.cdx.json /app/sbom.cdx.json
COPY services /app/services
COPY handlers /app/handlers
COPY bot /app/bot
RUN chmod -R a+rX /app && /opt/bot/bin/python -m compileall -q /app

# Nothing is written but the data folder, and /tmp by a kubeconfig with certificates in it.
ENV PATH=/opt/bot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    REGISTRY_BOT_DATA_DIR=/data \
    REGISTRY_BOT_HTTP_HOST=0.0.0.0 \
    REGISTRY_BOT_HTTP_PORT=8080
VOLUME /data
EXPOSE 8080
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['REGISTRY_BOT_HTTP_PORT'] + '/healthz', timeout=4)"]
# SIGTERM stops it cleanly: intake first, then what is under way (REGISTRY_BOT_SHUTDOWN_DEADLINE), then the rest.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
