# The image for workers that grade proofs in Lean with Mathlib: the project's image, with elan, one toolchain, Mathlib from
# its cache, and the REPL, all at the same tag. The toolchain has its checker, `leanchecker`.
#   docker build -f infra/Dockerfile -t monkeys:latest .
#   docker build -f infra/provers/lean.Dockerfile -t monkeys-lean:v4.32.2 infra/provers
# Another version: --build-arg LEAN=TAG, a tag that Lean, Mathlib and the REPL have. Kernels before 4.32.2 are known to be
# unsound. Not built yet: there was no registry, and no network to fetch a toolchain and Mathlib from.
ARG BASE=monkeys:latest
ARG LEAN=v4.32.2
ARG ELAN=v4.1.2

FROM ${BASE} AS build
ARG LEAN
ARG ELAN
USER root
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl git
ENV ELAN_HOME=/opt/lean/elan PATH=/opt/lean/elan/bin:$PATH
RUN curl -fsSL "https://github.com/leanprover/elan/releases/download/${ELAN}/elan-$(uname -m)-unknown-linux-gnu.tar.gz" \
    | tar -xz -C /tmp \
    && /tmp/elan-init -y --no-modify-path --default-toolchain "leanprover/lean4:${LEAN}"
WORKDIR /opt/lean
RUN git clone --quiet --depth 1 --branch "${LEAN}" https://github.com/leanprover-community/mathlib4 \
    && cd mathlib4 \
    && grep -qx "leanprover/lean4:${LEAN}" lean-toolchain \
    && lake exe cache get \
    && lake build Mathlib
RUN git clone --quiet --depth 1 --branch "${LEAN}" https://github.com/leanprover-community/repl \
    && cd repl \
    && grep -qx "leanprover/lean4:${LEAN}" lean-toolchain \
    && lake build

FROM ${BASE}
COPY --from=build /opt/lean /opt/lean
ENV ELAN_HOME=/opt/lean/elan PATH=/opt/lean/repl/.lake/build/bin:/opt/lean/elan/bin:$PATH
RUN lean --version && command -v repl
USER monkeys
