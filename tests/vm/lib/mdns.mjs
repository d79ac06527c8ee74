// Asks the network for the address of `<name>.local` (RFC 6762), as a laptop beside the car would.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { HERE } from './net.mjs';

const GROUP = '224.0.0.251';
const PORT = 5353;
const TYPE_A = 1;
const CLASS_IN = 1;
const ANSWER_INTERVAL_MS = 1000;

/** The IPv4 address; rejects when nobody answers in time. */
export async function lookUp(name, within) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(PORT);
    await once(socket, 'listening');
    socket.setMulticastInterface(HERE);
    socket.addMembership(GROUP, HERE);
    const ask = () => socket.send(question(name), PORT, GROUP);
    const repeat = setInterval(ask, ANSWER_INTERVAL_MS);
    ask();
    try {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`nobody is ${name} within ${within / 1000} s`)),
          within,
        );
        socket.on('message', (message) => {
          const address = answer(message, name);
          if (!address) return;
          clearTimeout(timer);
          resolve(address);
        });
      });
    } finally {
      clearInterval(repeat);
    }
  } finally {
    socket.close();
  }
}

const encode = (name) =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from(String.fromCharCode(label.length) + label)),
    Buffer.of(0),
  ]);

function question(name) {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, encode(name), Buffer.of(0, TYPE_A, 0, CLASS_IN)]);
}

/**
 * The address in a response's record of that name. Finds only a record with an uncompressed name,
 * type A and length 4.
 */
function answer(message, name) {
  const isResponse = message.length > 12 && message.readUInt16BE(2) & 0x8000;
  const start = isResponse
    ? message
        .toString('latin1')
        .toLowerCase()
        .indexOf(encode(name).toString('latin1').toLowerCase())
    : -1;
  if (start < 0) return null;
  const record = message.subarray(start + encode(name).length);
  // The highest bit of the class says that the record is unique.
  if (
    record.length < 14 ||
    record.readUInt16BE(0) !== TYPE_A ||
    (record.readUInt16BE(2) & 0x7fff) !== CLASS_IN
  )
    return null;
  return record.readUInt16BE(8) === 4 ? [...record.subarray(10, 14)].join('.') : null;
}
