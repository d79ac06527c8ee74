// The only part of the Internet that exists here: a name server. `rccar-modem` asks it to see
// whether data flow.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tool } from './tools.mjs';

/** The first name server in `crates/programs/modem/config.toml`. */
const ANYWHERE = '1.1.1.1';
/**
 * Bytes 2 and 3 of the answer: it is a response, and the query was refused (RFC 1035, 4.1.1).
 */
const REFUSED = [0x80, 0x05];

/** Answers questions until `close`. */
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
