# The image for workers that grade proofs in Rocq: the project's image, with Debian's Rocq, its checker and Coquelicot.
#   docker build -f infra/Dockerfile -t monkeys:latest .
#   docker build -f infra/provers/rocq.Dockerfile -t monkeys-rocq:8.16.1 infra/provers
# Rocq has the version of the base's Debian: 8.16.1 in bookworm. Not built yet: there was no registry to build it from.
ARG BASE=monkeys:latest
FROM ${BASE}
USER root
RUN apt-get update \
    && apt-get install -y --no-install-recommends coq libcoq-coquelicot \
    && rm -rf /var/lib/apt/lists/* \
    && coqc --print-version | grep -q '^8\.16\.1 '
USER monkeys
