// Commands inside a car, through the SSH server that its owner can switch on.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { until } from '../../e2e/lib/wait.mjs';
import { seconds } from './patience.mjs';
import { tool } from './tools.mjs';

export class Ssh {
  /** Makes a key pair in the directory. */
  static async makeKey(directory) {
    const key = join(directory, 'ssh-key');
    await tool('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'owner', '-f', key]);
    return { key, publicKey: readFileSync(`${key}.pub`, 'utf8').trim() };
  }

  constructor(address, key) {
    this.address = address;
    this.key = key;
  }

  /** Runs a shell command as root and returns its output. */
  async run(command, { within = seconds(60), ...options } = {}) {
    return (await tool(...this.command(command), { within, ...options })).stdout;
  }

  /** Program and arguments that run a shell command as root. */
  command(command) {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'BatchMode=yes',
      'ConnectTimeout=20',
    ].flatMap((option) => ['-o', option]);
    return ['ssh', ['-F', 'none', '-i', this.key, ...options, `root@${this.address}`, command]];
  }

  /** Waits until the car lets us in. */
  async ready(within = seconds(120)) {
    let last;
    const enter = () =>
      this.run('true').then(
        () => true,
        (error) => void (last = error),
      );
    await until('SSH lets us in', enter, { within, every: 1000 }).catch((error) => {
      throw new Error(`${error.message}\n${last?.message}`);
    });
  }
}
