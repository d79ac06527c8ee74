// How long to wait. An emulated car is slow, and slower on a busy machine: RCCAR_VM_PATIENCE=2
// doubles every limit.
const patience = Number(process.env.RCCAR_VM_PATIENCE ?? 1);

/** A limit in ms, from seconds on a machine as fast as ours. */
export const seconds = (n) => n * 1000 * patience;

/** From power-on to registered takes 60 to 100 s on two free cores. */
export const BOOT = seconds(420);
