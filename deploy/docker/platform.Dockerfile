# Ponte on Fly.io, Render or Railway. They mount their volumes as root's and offer a shell in the
# container, so this image has a small system: it starts as root, hands the volume to the user
# ponte, and goes on as that user for good. The build is the one of Dockerfile.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN deploy/static.sh release \
    && install -D -m 755 -s target/*/release/ponte /out/program/ponte \
    && install -d -m 700 /out/state/data

FROM debian:bookworm-slim
RUN groupadd --system --gid 65532 ponte \
    && useradd --system --uid 65532 --gid ponte --home-dir /data --no-create-home --shell /usr/sbin/nologin ponte \
    && install -d -o ponte -g ponte -m 700 /data
COPY --from=build /out/program/ponte /usr/local/bin/ponte
COPY --chmod=755 deploy/docker/start.sh /usr/local/bin/start-ponte
ENV PONTE_CONFIG=/data/ponte.toml
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["ponte", "health"]
ENTRYPOINT ["start-ponte"]
