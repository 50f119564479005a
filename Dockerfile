# One image for nodes, for the `tenuto` command, and for the demo's processes (docker-compose.yml). Nothing in it is built outside it.
#
#   docker build -t tenuto .
#   docker run --rm -p 127.0.0.1:7280:7280 -v tenuto-data:/var/lib/tenuto tenuto

ARG NODE_VERSION=22

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
# Not `npm ci`: it refuses a lock that was made where a registry lacks the optional binaries of other platforms.
RUN npm install --no-save --include=dev --no-audit --no-fund --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY sdk sdk
COPY cluster cluster
COPY examples examples
COPY scripts/build.mjs scripts/build.mjs
RUN node scripts/build.mjs && rm dist/.tsbuildinfo
RUN npm prune --omit=dev --no-save --no-audit --no-fund --loglevel=error
# Becomes the data directory's parent, owned by who runs the node.
RUN mkdir empty

FROM node:${NODE_VERSION}-bookworm-slim
WORKDIR /opt/tenuto
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/examples/order-fulfillment/data examples/order-fulfillment/data
COPY --from=build --chown=1000:1000 /app/empty /var/lib/tenuto
# `docker exec NODE tenuto cluster members`
COPY --chmod=755 deploy/docker/tenuto /usr/local/bin/tenuto

# The image's user `node`; a number, so that Kubernetes sees that it is not root.
USER 1000:1000
VOLUME /var/lib/tenuto
ENV NODE_ENV=production \
    TENUTO_DATA_DIR=/var/lib/tenuto/data \
    TENUTO_IP=0.0.0.0
# WebSocket and HTTP; links between nodes; gossip.
EXPOSE 7280 7281 7946/tcp 7946/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["tenuto", "server", "check"]
ENTRYPOINT ["tenuto"]
CMD ["server", "start"]
