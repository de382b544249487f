/**
 * The secrets of a transport's own settings. They are kept beside a client's configuration, so that no call carries
 * them.
 */
type Secrets = () => Iterable<string>

const known = new WeakMap<object, Secrets>()

/** Notes the secrets for the calls of a configuration. */
export const keepTransportSecrets = (config: object, secrets: Secrets | undefined): void => {
  if (secrets !== undefined) known.set(config, secrets)
}

export const transportSecretsOf = (config: object): Iterable<string> => known.get(config)?.() ?? []
