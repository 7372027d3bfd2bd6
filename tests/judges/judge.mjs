// Verifies badges with the libraries of Digital Bazaar and of the Digital Credentials Consortium, and tokens with jose.
//
// Each line is one question: {judge, documents: {url: document}, credential} or {judge: "jose", jwks, token}. Each
// answer is one line: {verified, error}. Nothing is fetched: what is not among the documents is not there.

import { createInterface } from 'node:readline';
import * as bazaarIntegrity from '@digitalbazaar/data-integrity';
import * as bazaarSuite from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as bazaarVc from '@digitalbazaar/vc';
import * as bazaarStatus from '@digitalbazaar/vc-bitstring-status-list';
import * as dccIntegrity from '@digitalcredentials/data-integrity';
import * as dccSuite from '@digitalcredentials/eddsa-rdfc-2022-cryptosuite';
import * as dccVc from '@digitalcredentials/vc';
import * as dccStatus from '@digitalcredentials/vc-bitstring-status-list';
import { createLocalJWKSet, jwtVerify } from 'jose';

const judges = {
  digitalbazaar: [bazaarVc, bazaarIntegrity, bazaarSuite, bazaarStatus],
  digitalcredentials: [dccVc, dccIntegrity, dccSuite, dccStatus],
};

const judge = async ({ judge: name, documents, credential }) => {
  const [vc, { DataIntegrityProof }, { cryptosuite }, { checkStatus }] = judges[name];
  const suite = new DataIntegrityProof({ cryptosuite });
  const documentLoader = async url => {
    if (!(url in documents)) throw new Error(`expected a document known here, found ${url}`);
    return { contextUrl: null, documentUrl: url, document: documents[url], tag: 'static' };
  };
  const result = await vc.verifyCredential({
    credential,
    suite,
    documentLoader,
    checkStatus: options =>
      checkStatus({ ...options, suite, documentLoader, verifyBitstringStatusListCredential: true }),
  });
  return { verified: result.verified, error: wordsOf(result.error ?? result.statusResult?.error) };
};

const wordsOf = error =>
  error ? [error.message, ...(error.errors ?? []).map(wordsOf), wordsOf(error.cause)].filter(Boolean).join('; ') : '';

const token = async ({ jwks, token: text }) => {
  const { payload } = await jwtVerify(text, createLocalJWKSet(jwks), { algorithms: ['ES256', 'RS256', 'EdDSA'] });
  return { verified: true, error: '', payload };
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answer = await (asked.judge === 'jose' ? token : judge)(asked).catch(error => ({
    verified: false,
    error: wordsOf(error),
  }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
