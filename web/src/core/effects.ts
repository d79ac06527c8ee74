/**
 * What a machine wants done, in order, until it wants nothing more: also what it comes to want
 * meanwhile.
 */
export function* effectsOf<T>(machine: { pollEffect(): T | null }): Generator<T, void> {
  for (let effect = machine.pollEffect(); effect !== null; effect = machine.pollEffect())
    yield effect;
}
