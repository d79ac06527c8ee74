// Somebody in the Internet, of which there is no other part here: whom the supervisor asks whether
// data flow.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tool } from './tools.mjs';

/** The first name server that `crates/programs/modem/config.toml` has. */
const ANYWHERE = '1.1.1.1';
/**
 * In the second pair of bytes of an answer: that it is one, and that it is refused (RFC 1035,
 * 4.1.1).
 */
const REFUSED = [0x80, 0x05];

/** Answers until it is closed. */
export async function internet() {
  await tool('ip', ['address', 'add', `${ANYWHERE}/32`, 'dev', 'lo']);
  const names = createSocket('udp4', (question, { port, address }) => {
    const answer = Buffer.from(question);
    answer.set(REFUSED, 2);
    names.send(answer, port, address);
  });
  names.bind(53, ANYWHERE);
  await once(names, 'listening');
  return {
    async close() {
      names.close();
      await tool('ip', ['address', 'delete', `${ANYWHERE}/32`, 'dev', 'lo']);
    },
  };
}
