// A wallet made of the library of the Open Wallet Foundation, which takes one offer of a badge.
//
// It reads {link, pin, site, served} on one line: `link` opens a wallet, and what lies at the https address `site` is
// served at `served`. It answers {credentials: {configuration: credential}} or {error}.

import { createInterface } from 'node:readline';
import { clientAuthenticationAnonymous } from '@openid4vc/oauth2';
import { Openid4vciClient } from '@openid4vc/openid4vci';

const take = async ({ link, pin, site, served }) => {
  const mapped = url => {
    if (!url.startsWith(`${site}/`)) throw new Error(`expected an address of ${site}, found ${url}`);
    return served + url.slice(site.length);
  };
  const wallet = new Openid4vciClient({
    callbacks: {
      clientAuthentication: clientAuthenticationAnonymous(),
      fetch: (url, options) => fetch(mapped(String(url)), options),
    },
  });
  const credentialOffer = await wallet.resolveCredentialOffer(link);
  const issuerMetadata = await wallet.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const { accessTokenResponse } = await wallet.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer,
    issuerMetadata,
    txCode: pin ?? undefined,
  });
  const credentials = {};
  for (const credentialConfigurationId of credentialOffer.credential_configuration_ids) {
    const { credentialResponse } = await wallet.retrieveCredentials({
      issuerMetadata,
      credentialConfigurationId,
      accessToken: accessTokenResponse.access_token,
    });
    credentials[credentialConfigurationId] = credentialResponse.credentials[0].credential;
  }
  const known = Object.keys(issuerMetadata.knownCredentialConfigurations);
  return { credentials, known, version: issuerMetadata.originalDraftVersion };
};

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await take(JSON.parse(line)).catch(error => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
