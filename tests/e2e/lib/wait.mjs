// Waits for conditions, never for a fixed time.
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Resolves with the first truthy result; after `within` ms it throws and names `what`. */
export async function until(what, condition, { within = 20_000, every = 50 } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    last = await condition();
    if (last) return last;
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await sleep(every);
  }
}
