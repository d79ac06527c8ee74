// The network of a story: a bridge with this machine at 10.77.0.1, a cable (TAP device) for each
// car, a DHCP server. There is no way out of it: it is in the network namespace that ci/vm makes,
// and disappears with it.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { until } from '../../e2e/lib/wait.mjs';
import { tool } from './tools.mjs';

/** This machine's address for the cars. */
export const HERE = '10.77.0.1';
const BRIDGE = 'cars';

export class Net {
  #taps = 0;

  static async start(directory, { dhcp = true } = {}) {
    const net = new Net();
    net.directory = directory;
    mkdirSync(directory, { recursive: true });
    if (
      Object.keys(networkInterfaces()).some(
        (name) => !['lo', BRIDGE].includes(name) && !name.startsWith('car'),
      )
    ) {
      throw new Error('these tests run in a network of their own: start them with ci/vm');
    }
    if (existsSync(`/sys/class/net/${BRIDGE}`)) await ip('link', 'delete', BRIDGE);
    await ip('link', 'set', 'lo', 'up');
    await ip('link', 'add', BRIDGE, 'type', 'bridge', 'forward_delay', '0');
    await ip('address', 'add', `${HERE}/24`, 'dev', BRIDGE);
    await ip('link', 'set', BRIDGE, 'up');
    if (dhcp) await net.startDhcp();
    return net;
  }

  /** Makes a cable for a car; returns the name of its TAP device. */
  async cable() {
    const tap = `car${this.#taps++}`;
    await ip('tuntap', 'add', 'dev', tap, 'mode', 'tap');
    await ip('link', 'set', tap, 'master', BRIDGE, 'up');
    return tap;
  }

  async startDhcp() {
    rmSync(this.#leases, { force: true });
    const log = openSync(join(this.directory, 'dhcp.log'), 'a');
    const options = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file',
      '--user=root',
      `--interface=${BRIDGE}`,
      '--bind-interfaces',
    ];
    // No DNS, and neither router nor name server for the cars.
    options.push(
      '--port=0',
      '--dhcp-option=3',
      '--dhcp-option=6',
      '--dhcp-authoritative',
      '--log-dhcp',
      '--log-facility=-',
      '--no-ping',
    );
    options.push('--dhcp-range=10.77.0.20,10.77.0.99,1h', `--dhcp-leasefile=${this.#leases}`);
    this.dhcp = spawn('dnsmasq', options, { stdio: ['ignore', log, log] });
    await until('the DHCP server listens', async () => {
      if (this.dhcp.exitCode !== null)
        throw new Error(
          `dnsmasq has ended: ${readFileSync(join(this.directory, 'dhcp.log'), 'utf8')}`,
        );
      return (await tool('ss', ['-Hlun', 'sport = :67'])).stdout !== '';
    });
  }

  /** The IPv4 address that a car was given, undefined before that. */
  lease(mac) {
    if (!existsSync(this.#leases)) return undefined;
    const lines = readFileSync(this.#leases, 'utf8').split('\n');
    return lines.map((line) => line.split(' ')).find((fields) => fields[1] === mac)?.[2];
  }

  get #leases() {
    return join(this.directory, 'dhcp.leases');
  }

  async stop() {
    for (let tap = 0; tap < this.#taps; tap += 1)
      await ip('link', 'delete', `car${tap}`).catch(() => {});
    if (this.dhcp) {
      const ended = once(this.dhcp, 'exit');
      this.dhcp.kill();
      await ended;
    }
    await ip('link', 'delete', BRIDGE).catch(() => {});
  }
}

const ip = (...args) => tool('ip', args);
