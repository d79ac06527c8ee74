// A modem on a serial line of an emulated car: AT commands and, behind a call, a mobile network,
// both from tests/modem. The car's traffic over it arrives on this machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../e2e/lib/programs.mjs';
import { internet } from './internet.mjs';
import { tool } from './tools.mjs';

/** Tells the car that there is a modem: a serial port could be anything. */
const RULE =
  'SUBSYSTEM=="tty", KERNEL=="ttyS0", ENV{ID_MM_DEVICE_PROCESS}="1", ENV{RCCAR_MODEM}="1"';

/** Interface of the network on this machine, and the account that may use it. */
const NETWORK = 'mobile';
const [USER, PASSWORD] = ['web', 'open-sesame'];

/** Status of `rccar-modem` in the car; undefined while it does not run. */
export async function supervisor(car) {
  if ((await car.inside('systemctl is-active rccar-modem', { may: [0, 3] })).trim() !== 'active')
    return undefined;
  const call =
    'busctl --json=short call org.rccar.Modem /org/rccar/Modem org.rccar.Modem1 GetStatus';
  return JSON.parse(JSON.parse(await car.inside(call)).data[0]);
}

export class SerialModem {
  /** `[modem]` of the card's provision.toml. */
  static settings = { apn: 'internet', user: USER, password: PASSWORD };
  /**
   * Addresses on the link: the car's and the other end's IPv4 address, and the prefix of the car's
   * IPv6 addresses.
   */
  static addresses = { car: '10.64.0.2', here: '10.64.0.1', prefix: '2001:db8:64:' };

  /** The log goes to `directory`. The modem waits at its end of the line. */
  static async start(directory) {
    const modem = new SerialModem();
    modem.internet = await internet();
    // A Unix socket's path has at most 107 bytes, and the checkout may be deep.
    modem.directory = mkdtempSync(join(tmpdir(), 'rccar-modem-'));
    modem.socket = join(modem.directory, 'line');
    // Only the account in the card's provision.toml may call. `exec` ends the shell: hangUp() kills
    // ppp-peer by its name, and a shell would stay.
    modem.program = new Program(
      'at-modem',
      [modem.socket, `exec "$RCCAR_BIN/ppp-peer" ${NETWORK} ${USER} ${PASSWORD}`],
      directory,
    );
    return modem;
  }

  /** Arguments of the emulator. */
  get args() {
    return ['--serial-modem', this.socket];
  }

  /** Tells a running car that there is a modem on its port. */
  async announce(car) {
    // The owner's shell has few rights, a separate unit has more. In base64 the rule needs no
    // quotes.
    const rule = Buffer.from(`${RULE}\n`).toString('base64');
    const rules = '/run/udev/rules.d';
    await car.inside(
      `systemd-run -q --pipe --wait sh -c 'mkdir -p ${rules} && echo ${rule} | base64 -d >${rules}/85-story.rules && udevadm control --reload && udevadm trigger --action=add --name-match=ttyS0'`,
    );
  }

  /** Number of calls so far. */
  calls() {
    return this.program.log().match(/^ATD/gm)?.length ?? 0;
  }

  /**
   * The network ends the call. On this line only the modem reports that, and pppd does not listen
   * to the modem.
   */
  async hangUp() {
    await tool('pkill', ['-KILL', '-x', 'ppp-peer']);
  }

  async stop() {
    await this.program.stop();
    await this.internet.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
