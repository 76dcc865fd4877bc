#!/usr/bin/env node
// An OAuth server for the tests: oidc.mjs HOST:PORT rotate|keep REDIRECT SCOPE... Anybody may sign in and consent.
import Provider from 'oidc-provider';

const [address, refresh, redirect, ...scopes] = process.argv.slice(2);
const [host, port] = address.split(':');

const provider = new Provider(`http://${address}`, {
	clients: [{
		client_id: 'client',
		client_secret: 'secret',
		redirect_uris: [redirect],
		grant_types: ['authorization_code', 'refresh_token'],
		response_types: ['code'],
		token_endpoint_auth_method: 'client_secret_post',
	}],
	scopes,
	rotateRefreshToken: refresh === 'rotate',
	issueRefreshToken: async () => true,
	pkce: { methods: ['S256'], required: () => true },
	features: {
		devInteractions: { enabled: true },
		introspection: { enabled: true, allowedPolicy: async () => true },
		revocation: { enabled: true },
	},
	routes: { authorization: '/auth', token: '/token', revocation: '/revoke', introspection: '/introspect' },
	findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
provider.listen(Number(port), host);
