// The signaling host of a story, on this machine, where cars and browsers reach it.
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Program, binaries } from '../../e2e/lib/programs.mjs';
import { until } from '../../e2e/lib/wait.mjs';
import { Watcher } from '../../e2e/lib/watcher.mjs';
import { HERE } from './net.mjs';
import { tool } from './tools.mjs';

// Folder in which image/keys keeps the keys that the image trusts.
const keys = process.env.RCCAR_KEYS ?? join(homedir(), '.config/rccar/keys');

export class Host {
  /** The log goes to `directory`, the database to `state`. */
  static async start(directory, state, port = 8080) {
    const host = new Host();
    mkdirSync(state, { recursive: true });
    host.directory = directory;
    host.url = `http://${HERE}:${port}`;
    host.config = join(state, 'host.toml');
    host.keyring = join(state, 'keyring.pem');
    copyFileSync(join(keys, 'keyring.pem'), host.keyring);
    writeFileSync(
      host.config,
      `[http]\nlisten = ["${HERE}:${port}"]\npublic_url = "${host.url}"\n[database]\npath = "${state}/host.db"\n` +
        `[turn]\nlisten = ["${HERE}:${port + 1000}"]\nsecret_file = "${state}/turn.secret"\nallow_peers = ["10.77.0.0/24"]\n` +
        `[releases]\ndir = "${state}/releases"\nkeyring = "${host.keyring}"\nannounce_spread_s = 0\n`,
    );
    await host.run();
    await host.cli('user', 'add', 'ada');
    return host;
  }

  async run() {
    this.program = new Program('rccar-host', ['run', '--config', this.config], this.directory);
    await until(`the host answers on ${this.url}`, async () => {
      if (!this.program.running) throw new Error(`the host has ended:\n${this.program.log()}`);
      return (await fetch(`${this.url}/healthz`).catch(() => null))?.ok;
    });
  }

  /** The command line of rccar-host. */
  async cli(...args) {
    return (await tool(join(binaries, 'rccar-host'), [...args, '--config', this.config])).stdout;
  }

  async enrolmentToken() {
    return JSON.parse(await this.cli('enrol', '--json', '--owner', 'ada')).token;
  }

  async signInLink(user = 'ada') {
    return (await this.cli('sign-in-link', '--user', user)).match(/https?:\/\/\S+/)[0];
  }

  /** Offers a bundle to cars. */
  async release(file) {
    return this.cli('release', 'add', file);
  }

  /** The host trusts a certificate that the cars do not know. */
  trust(certificate) {
    appendFileSync(this.keyring, readFileSync(certificate));
  }

  /** Cuts off the second half of the newest bundle in the store. */
  async truncateRelease() {
    const [{ sha256, size }] = JSON.parse(await this.cli('release', 'list', '--json'));
    truncateSync(join(dirname(this.config), 'releases', `${sha256}.raucb`), Math.floor(size / 2));
  }

  /** Follows the list of cars as a signed-in driver. */
  watch() {
    return Watcher.open(this);
  }

  logs() {
    return `--- rccar-host\n${this.program.log().split('\n').slice(-25).join('\n')}`;
  }

  async stop() {
    await this.program.stop();
  }
}
