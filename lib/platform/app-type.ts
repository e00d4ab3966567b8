/**
 * How Feishu lists the app: `self-built` belongs to one tenant; `store` is an ISV app that many tenants install.
 *
 * @publicApi
 */
export type AppType = 'self-built' | 'store';
