// Verifies badges with the libraries of Digital Bazaar and of the Digital Credentials Consortium, and tokens with jose.
//
// Each line is one question: {judge, documents: {url: document}, credential} or {judge: "jose", jwks, token}. Each
// answer is one line: {verified, error}. Nothing is fetched: what is not among the documents is not there.
//
// {judge: "selective", …} asks whether a proof of ecdsa-sd-2023 holds. {judge: "issuer", documents, credential, mandatory,
// optional} makes such proofs, with JSON Pointers, by a key of this moment: {base, derived: [one for each of optional]}.

import { createInterface } from 'node:readline';
import * as bazaarIntegrity from '@digitalbazaar/data-integrity';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as selective from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
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

const loaderOf = documents => async url => {
  if (!(url in documents)) throw new Error(`expected a document known here, found ${url}`);
  return { contextUrl: null, documentUrl: url, document: documents[url], tag: 'static' };
};

const judge = async ({ judge: name, documents, credential }) => {
  const [vc, { DataIntegrityProof }, { cryptosuite }, { checkStatus }] = judges[name];
  const suite = new DataIntegrityProof({ cryptosuite });
  const documentLoader = loaderOf(documents);
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

const proofOf = (cryptosuite, signer) => new bazaarIntegrity.DataIntegrityProof({ cryptosuite, signer });

const shown = async ({ documents, credential }) => {
  const suite = proofOf(selective.createVerifyCryptosuite());
  const result = await bazaarVc.verifyCredential({ credential, suite, documentLoader: loaderOf(documents) });
  return { verified: result.verified, error: wordsOf(result.error) };
};

const issuer = async ({ documents, credential, mandatory, optional }) => {
  const key = await EcdsaMultikey.generate({ curve: 'P-256' });
  const id = `did:key:${key.publicKeyMultibase}`;
  Object.assign(key, { id: `${id}#${key.publicKeyMultibase}`, controller: id });
  const documentLoader = loaderOf(documents);
  const base = await bazaarVc.issue({
    credential: { ...credential, issuer: { ...credential.issuer, id } },
    suite: proofOf(selective.createSignCryptosuite({ mandatoryPointers: mandatory }), key.signer()),
    documentLoader,
  });
  const derived = [];
  for (const selectivePointers of optional) {
    const suite = proofOf(selective.createDiscloseCryptosuite({ selectivePointers }));
    derived.push(await bazaarVc.derive({ verifiableCredential: base, suite, documentLoader }));
  }
  return { base, derived };
};

const others = { jose: token, selective: shown, issuer };

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answer = await (others[asked.judge] ?? judge)(asked).catch(error => ({
    verified: false,
    error: wordsOf(error),
  }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
