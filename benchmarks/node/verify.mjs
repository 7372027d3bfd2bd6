// Verifies badges with the libraries of Digital Bazaar, for benchmarks/verifying.py, which says what in lines of JSON.
//
// First line: {controller: {id, publicKeyMultibase}, contexts: {url: document}, documents: [signed credential, …]}.
// The answer says whether the first document holds: {verified}. Then each line {seconds} is answered by
// {done, seconds}: badges verified, time taken.

import { createInterface } from 'node:readline';
import { performance } from 'node:perf_hooks';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const answer = value => process.stdout.write(`${JSON.stringify(value)}\n`);

const { controller, contexts, documents } = await read();
const method = `${controller.id}#${controller.publicKeyMultibase}`;
const key = {
  '@context': 'https://w3id.org/security/multikey/v1',
  id: method,
  type: 'Multikey',
  controller: controller.id,
  publicKeyMultibase: controller.publicKeyMultibase,
};
const known = {
  ...contexts,
  [method]: key,
  [controller.id]: {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: controller.id,
    verificationMethod: [key],
    assertionMethod: [method],
  },
};
const documentLoader = async url => {
  if (!(url in known)) throw new Error(`expected a document known here, found ${url}`);
  return { contextUrl: null, documentUrl: url, document: known[url], tag: 'static' };
};
const verify = credential =>
  vc.verifyCredential({
    credential,
    suite: new DataIntegrityProof({ cryptosuite }),
    documentLoader,
    checkStatus: async () => ({ verified: true }),
  });

const first = await verify(structuredClone(documents[0]));
answer({ verified: first.verified, error: first.verified ? undefined : String(first.error?.errors?.[0] ?? first.error) });
let next = 0;
for (let asked = await read(); asked !== undefined; asked = await read()) {
  const started = performance.now();
  let done = 0;
  while (performance.now() - started < asked.seconds * 1000) {
    await verify(structuredClone(documents[next++ % documents.length]));
    done += 1;
  }
  answer({ done, seconds: (performance.now() - started) / 1000 });
}
