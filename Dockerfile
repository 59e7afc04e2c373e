# One image for server, worker, beat and flower: the command says which. Nothing in it runs as root.

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/harken
COPY requirements.image.lock .
RUN /opt/harken/bin/pip install --no-cache-dir --require-hashes -r requirements.image.lock
COPY pyproject.toml README.md LICENSE ./
COPY proto proto
COPY client client
COPY server server
COPY tasks tasks
COPY core core
# hatchling is in the lock: what builds the package is checked like what runs it.
RUN /opt/harken/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/harken/bin/pip uninstall --yes --quiet hatchling

FROM python:3.13-slim
# pg_dump and pg_restore, for backups of a PostgreSQL up to their own version, which is 17 in this Debian.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --uid 10001 harken \
    && install --directory --owner=harken /var/cache/harken \
    && install --directory --owner=harken --mode=0700 /storage
COPY --from=build /opt/harken /opt/harken
ENV PATH=/opt/harken/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HARKEN_LISTEN=0.0.0.0:50051 \
    HARKEN_MEDIA_ROOTS=/media \
    NUMBA_CACHE_DIR=/var/cache/harken
WORKDIR /home/harken
USER harken
# Compiled for the CPU of this build; a worker on another kind adds that at its first start.
RUN python -m harken.audio --warm-up
EXPOSE 50051
STOPSIGNAL SIGTERM
ENTRYPOINT ["harken"]
CMD ["serve"]
