// A modem on a serial line of an emulated car: AT commands and, behind a call, a mobile network, both of tests/modem. What the car sends over
// it comes out on this machine.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../e2e/lib/programs.mjs';
import { tool } from './tools.mjs';

/** How the car knows that this is one: a serial port could be anything. */
const RULE = 'SUBSYSTEM=="tty", KERNEL=="ttyS0", ENV{ID_MM_DEVICE_PROCESS}="1", ENV{RCCAR_MODEM}="1"';

/** Whom the supervisor asks whether data flow: an address in the Internet, of which there is no other part here. */
const ANYWHERE = '1.1.1.1';
/** In the second pair of bytes of an answer: that it is one, and that it is refused (RFC 1035, 4.1.1). */
const REFUSED = [0x80, 0x05];

/** The device with the network, and who may use it. */
const NETWORK = 'mobile';
const [USER, PASSWORD] = ['web', 'open-sesame'];

export class SerialModem {
  /** What the card has to know. */
  static settings = { apn: 'internet', user: USER, password: PASSWORD };
  /** Addresses on the link: that which the car gets, and the other end's; the prefix of the car's others. */
  static addresses = { car: '10.64.0.2', here: '10.64.0.1', prefix: '2001:db8:64:' };

  /** `directory` gets the log. It waits at its end of the line. */
  static async start(directory) {
    const modem = new SerialModem();
    await tool('ip', ['address', 'add', `${ANYWHERE}/32`, 'dev', 'lo']);
    modem.names = createSocket('udp4', (question, { port, address }) => {
      const answer = Buffer.from(question);
      answer.set(REFUSED, 2);
      modem.names.send(answer, port, address);
    });
    modem.names.bind(53, ANYWHERE);
    await once(modem.names, 'listening');
    // A Unix socket's path is at most 107 bytes; the checkout may lie deep.
    modem.directory = mkdtempSync(join(tmpdir(), 'rccar-modem-'));
    modem.socket = join(modem.directory, 'line');
    // Who may call is in the card's provision.toml. The shell goes first: it is asked for by name.
    modem.program = new Program('at-modem', [modem.socket, `exec "$RCCAR_BIN/ppp-peer" ${NETWORK} ${USER} ${PASSWORD}`], directory);
    return modem;
  }

  /** Arguments of the emulator. */
  get args() {
    return ['--serial-modem', this.socket];
  }

  /** Tells a car that runs that there is a modem on its port. */
  async announce(car) {
    // The owner's shell has few rights, a unit of its own has more. In base64 the rule needs no quotes.
    const rule = Buffer.from(`${RULE}\n`).toString('base64');
    const rules = '/run/udev/rules.d';
    await car.inside(`systemd-run -q --pipe --wait sh -c 'mkdir -p ${rules} && echo ${rule} | base64 -d >${rules}/85-story.rules && udevadm control --reload && udevadm trigger --action=add --name-match=ttyS0'`);
  }

  /** How many calls there have been. */
  calls() {
    return this.program.log().match(/^ATD/gm)?.length ?? 0;
  }

  /** The network ends the call. On this line nobody but the modem says so, and pppd does not listen to it. */
  async hangUp() {
    await tool('pkill', ['-KILL', '-x', 'ppp-peer']);
  }

  async stop() {
    this.names.close();
    await tool('ip', ['address', 'delete', `${ANYWHERE}/32`, 'dev', 'lo']);
    await this.program.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
