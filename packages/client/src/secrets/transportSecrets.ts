/** What of a transport's own settings must not be shown of the calls of a client: kept beside its settings, so that no call carries it. */
type Secrets = () => Iterable<string>

const known = new WeakMap<object, Secrets>()

/** Notes them for calls with these settings. */
export const keepTransportSecrets = (config: object, secrets: Secrets | undefined): void => {
  if (secrets !== undefined) known.set(config, secrets)
}

export const transportSecretsOf = (config: object): Iterable<string> => known.get(config)?.() ?? []
