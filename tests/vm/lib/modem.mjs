// A modem on a serial line of an emulated car: AT commands and, behind a call, a mobile network,
// both of tests/modem. What the car sends over it comes out on this machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../e2e/lib/programs.mjs';
import { internet } from './internet.mjs';
import { tool } from './tools.mjs';

/** How the car knows that this is one: a serial port could be anything. */
const RULE =
  'SUBSYSTEM=="tty", KERNEL=="ttyS0", ENV{ID_MM_DEVICE_PROCESS}="1", ENV{RCCAR_MODEM}="1"';

/** The device with the network, and who may use it. */
const NETWORK = 'mobile';
const [USER, PASSWORD] = ['web', 'open-sesame'];

/** What the supervisor in the car tells; nothing as long as it does not run. */
export async function supervisor(car) {
  if ((await car.inside('systemctl is-active rccar-modem', { may: [0, 3] })).trim() !== 'active')
    return undefined;
  const call =
    'busctl --json=short call org.rccar.Modem /org/rccar/Modem org.rccar.Modem1 GetStatus';
  return JSON.parse(JSON.parse(await car.inside(call)).data[0]);
}

export class SerialModem {
  /** What the card has to know. */
  static settings = { apn: 'internet', user: USER, password: PASSWORD };
  /**
   * Addresses on the link: that which the car gets, and the other end's; the prefix of the car's
   * others.
   */
  static addresses = { car: '10.64.0.2', here: '10.64.0.1', prefix: '2001:db8:64:' };

  /** `directory` gets the log. It waits at its end of the line. */
  static async start(directory) {
    const modem = new SerialModem();
    modem.internet = await internet();
    // A Unix socket's path is at most 107 bytes; the checkout may lie deep.
    modem.directory = mkdtempSync(join(tmpdir(), 'rccar-modem-'));
    modem.socket = join(modem.directory, 'line');
    // Who may call is in the card's provision.toml. The shell goes first: it is asked for by name.
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

  /** Tells a car that runs that there is a modem on its port. */
  async announce(car) {
    // The owner's shell has few rights, a unit of its own has more. In base64 the rule needs no
    // quotes.
    const rule = Buffer.from(`${RULE}\n`).toString('base64');
    const rules = '/run/udev/rules.d';
    await car.inside(
      `systemd-run -q --pipe --wait sh -c 'mkdir -p ${rules} && echo ${rule} | base64 -d >${rules}/85-story.rules && udevadm control --reload && udevadm trigger --action=add --name-match=ttyS0'`,
    );
  }

  /** How many calls there have been. */
  calls() {
    return this.program.log().match(/^ATD/gm)?.length ?? 0;
  }

  /**
   * The network ends the call. On this line nobody but the modem says so, and pppd does not listen
   * to it.
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
