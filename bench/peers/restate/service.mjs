// Restate's side of the bench's workflows (lib/model.ts says what each must return), as one service deployment: `service.mjs PORT INSIDE`.
// Runs where Restate's SDK is installed. INSIDE is the module with which it tells its own figures.

// The SDK expects Node 22.
Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new this((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

const [port = '', inside = ''] = process.argv.slice(2);
(await import(inside)).answerInside();
const { RestatePromise, serve, service } = await import('@restatedev/restate-sdk');

const Steps = { name: 'steps' };
const Workflows = { name: 'workflows' };

const advance = async ({ value, n }) => ({ value, n: n + 1 });

/** A remote step is a call of another service's handler; a local one runs in the handler's own process. */
const steps = service({ name: Steps.name, handlers: { advance: (_ctx, at) => advance(at) } });

const workflows = service({
  name: Workflows.name,
  handlers: {
    none: async (_ctx, { value }) => ({ value, n: 0 }),

    sequence: async (ctx, { value, count }) => {
      let at = { value, n: 0 };
      for (let i = 0; i < count; i += 1) at = await ctx.serviceClient(Steps).advance(at);
      return at;
    },

    parallel: async (ctx, { value, count }) => {
      const results = await RestatePromise.all(
        Array.from({ length: count }, (_, n) => ctx.serviceClient(Steps).advance({ value, n })),
      );
      return { value, n: results.filter((result, i) => result.value === value && result.n === i + 1).length };
    },

    local: async (ctx, { value, count }) => {
      let at = { value, n: 0 };
      for (let i = 0; i < count; i += 1) {
        const before = at;
        at = await ctx.run('advance', () => advance(before));
      }
      return at;
    },

    children: async (ctx, { value, count }) => {
      const results = await RestatePromise.all(
        Array.from({ length: count }, (_, i) =>
          ctx.serviceClient(Workflows).none({ value: `${value}/${i}`, count: 0 }),
        ),
      );
      return { value, n: results.filter((result, i) => result.value === `${value}/${i}`).length };
    },

    timer: async (ctx, { value, count }) => {
      await ctx.sleep(count);
      return { value, n: count };
    },
  },
});

await serve({ services: [steps, workflows], port: Number(port) });
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
