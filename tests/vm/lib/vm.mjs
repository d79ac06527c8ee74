// An emulated car: the card in QEMU, its console, its power switch. `make boot` starts the emulator
// in the same way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seconds } from './patience.mjs';
import { Qmp } from './qmp.mjs';
import { Serial } from './serial.mjs';

const emulator = new URL('../../../image/emulator', import.meta.url).pathname;
// `getconf CLK_TCK` on every Linux that Node.js runs on.
const TICKS_PER_SECOND = 100;

export class Vm {
  /** `args` are more arguments for the emulator's script. */
  static async start({ card, log, tap, mac = '52:54:00:77:00:02', args = [] }) {
    const vm = new Vm();
    vm.mac = mac;
    vm.card = card;
    // A Unix socket's path has at most 107 bytes, and the checkout may be deep.
    vm.directory = mkdtempSync(join(tmpdir(), 'rccar-vm-'));
    const socket = join(vm.directory, 'qmp');
    const started = Date.now();
    const network = tap ? ['--tap', tap, '--mac', mac] : [];
    vm.process = spawn(emulator, [...network, '--qmp', socket, ...args, card.file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    vm.exited = once(vm.process, 'exit');
    vm.seconds = () => (Date.now() - started) / 1000;
    const clock = () =>
      `${vm.seconds().toFixed(2).padStart(8)} cpu ${vm.cpuSeconds.toFixed(1).padStart(6)}`;
    vm.serial = new Serial(vm.process.stdout, log, clock);
    vm.complaints = '';
    vm.process.stderr.on('data', (data) => (vm.complaints += data));
    vm.process.on('error', (error) => (vm.complaints += error.message));
    try {
      vm.qmp = await Promise.race([
        Qmp.open(socket, seconds(30)),
        vm.exited.then(() => Promise.reject(new Error('it has ended'))),
      ]);
    } catch (error) {
      await vm.kill();
      throw new Error(`the emulator does not start: ${error.message}\n${vm.complaints}`);
    }
    return vm;
  }

  get running() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /**
   * Processor time that the emulator has used. Unlike wall time it hardly depends on other work of
   * the machine.
   */
  get cpuSeconds() {
    try {
      const fields = readFileSync(`/proc/${this.process.pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
      this.cpu = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      // It has ended; the last figure stays.
    }
    return this.cpu ?? 0;
  }

  /** Pulls a network plug or puts it in again: the cable's (`net0`), or the stick's. */
  plug(up, name = 'net0') {
    return this.qmp.execute('set_link', { name, up });
  }

  /** The reset button. */
  reset() {
    return this.qmp.execute('system_reset');
  }

  /** Resolves when the car has switched itself off. */
  async stopped(within) {
    let timer;
    const late = new Promise(
      (_, reject) =>
        (timer = setTimeout(
          () => reject(new Error(`the car is still on after ${within / 1000} s`)),
          within,
        )),
    );
    await Promise.race([this.exited, late]).finally(() => clearTimeout(timer));
  }

  /** Cuts the power. */
  async kill() {
    if (this.running) this.process.kill('SIGKILL');
    if (this.process.pid !== undefined) await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }

  /**
   * Cuts the power like `kill`, but lets the emulator write its own buffers first.
   */
  async quit() {
    if (this.running) await this.qmp.execute('quit').catch(() => {});
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
