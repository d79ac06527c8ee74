// A driver in Debian's Chromium: opens the one-time link, waits for the picture, arms, drives, and
// prints what it saw as JSON.
import { Cockpit, launch } from '../e2e/lib/page.mjs';

const [link] = process.argv.slice(2);
// The lab's authority is unknown to the browser. The certificate's name is checked by the driver in
// Rust.
const browser = await launch({ args: ['--ignore-certificate-errors'] });
const world = { url: new URL(link).origin, signInLink: () => link, logs: () => '' };
const cockpit = await Cockpit.open(browser, world, { before: keepConnections });
await cockpit.live();
const { stats } = await cockpit.when('the path is known', (s) => s.stats?.path);
await arm();
await cockpit.page.keyboard.down('w');
await cockpit.when('the motor turns', (s) => s.telemetry.throttle > 0);
await cockpit.page.keyboard.up('w');
const relayProtocol = await cockpit.page.evaluate(relayProtocolInUse);
console.log(JSON.stringify({ relayed: stats.path.relayed, relayProtocol, errors: cockpit.errors }));
await browser.close();

/**
 * Arms. A busy machine may leave a gap in the input, which ends arming: then this tries again, as a
 * person would.
 */
async function arm(tries = 3) {
  try {
    await cockpit.arm({ within: 5_000 });
  } catch (error) {
    if (tries === 0) throw error;
    await arm(tries - 1);
  }
}

/** Inside the page: collects its peer connections, which it does not show otherwise. */
function keepConnections() {
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      globalThis.connections.push(this);
    }
  };
}

/** Inside the page: "udp", "tcp" or "tls" to the browser's own TURN server; null without one. */
async function relayProtocolInUse() {
  const report = await globalThis.connections.at(-1).getStats();
  const all = [...report.values()];
  const { selectedCandidatePairId } = all.find((entry) => entry.type === 'transport');
  return report.get(report.get(selectedCandidatePairId).localCandidateId).relayProtocol ?? null;
}
