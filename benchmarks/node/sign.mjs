// Signs badges with the libraries of Digital Bazaar, for benchmarks/signing.py, which says what in lines of JSON.
//
// First line: {seed, controller, contexts: {url: document}, documents: [unsigned credential, …]}. The answer is the
// first document, signed. Then each line {seconds} is answered by {done, seconds}: badges signed, time taken.

import { createInterface } from 'node:readline';
import { performance } from 'node:perf_hooks';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const answer = value => process.stdout.write(`${JSON.stringify(value)}\n`);

const { seed, controller, contexts, documents } = await read();
const key = await Ed25519Multikey.generate({ controller, seed: new Uint8Array(Buffer.from(seed, 'hex')) });
const signer = { ...key.signer(), id: `${controller}#${key.publicKeyMultibase}` };

const documentLoader = async url => {
  if (!(url in contexts)) throw new Error(`expected a context known here, found ${url}`);
  return { contextUrl: null, documentUrl: url, document: contexts[url], tag: 'static' };
};
const sign = credential =>
  vc.issue({
    credential,
    suite: new DataIntegrityProof({ signer, cryptosuite, date: credential.validFrom }),
    documentLoader,
  });

answer(await sign(structuredClone(documents[0])));
let next = 0;
for (let asked = await read(); asked !== undefined; asked = await read()) {
  const started = performance.now();
  let done = 0;
  while (performance.now() - started < asked.seconds * 1000) {
    await sign(structuredClone(documents[next++ % documents.length]));
    done += 1;
  }
  answer({ done, seconds: (performance.now() - started) / 1000 });
}
