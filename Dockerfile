# The platform from its source tree, for every node of a cluster and for a single machine.
FROM python:3.11-slim-bookworm

# Ray's cluster launcher copies files into the container by rsync, and its head starts the workers over ssh.
RUN apt-get update && apt-get install --yes --no-install-recommends openssh-client rsync && rm -rf /var/lib/apt/lists/*

# Nothing that runs needs root.
RUN useradd --create-home --uid 1000 heliograph
WORKDIR /opt/heliograph

COPY requirements.lock ./
RUN pip install --no-cache-dir uv && uv pip install --system --no-cache --compile-bytecode -r requirements.lock

COPY --chown=heliograph . .
RUN uv pip install --system --no-cache --no-deps --editable . \
    && mkdir -p /var/lib/heliograph && chown heliograph /var/lib/heliograph

USER heliograph
ENV HELIOGRAPH_DATA_DIR=/var/lib/heliograph \
    PYTHONPATH=/opt/heliograph \
    PYTHONUNBUFFERED=1
VOLUME /var/lib/heliograph
EXPOSE 3000

ENTRYPOINT ["heliograph"]
CMD ["up"]
