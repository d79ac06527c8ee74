// A modem on a serial line of an emulated car: AT commands by tests/modem, and behind a call the network of slirp, a PPP peer that needs no
// help of the kernel. What the car sends over it comes out on this machine.
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

export class SerialModem {
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
    modem.program = new Program('at-modem', [modem.socket, 'exec slirp-fullbolt -P 2>/dev/null'], directory);
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

  async stop() {
    this.names.close();
    await tool('ip', ['address', 'delete', `${ANYWHERE}/32`, 'dev', 'lo']);
    await this.program.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
