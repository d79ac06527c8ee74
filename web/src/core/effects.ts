/**
 * Yields a machine's effects in order until there are none, including those that are added
 * meanwhile.
 */
export function* effectsOf<T>(machine: { pollEffect(): T | null }): Generator<T, void> {
  for (let effect = machine.pollEffect(); effect !== null; effect = machine.pollEffect())
    yield effect;
}
