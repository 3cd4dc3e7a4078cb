/**
 * The one style sheet of the sign-in pages; the policy of the pages names its hash, so no other style is ever applied.
 * @module
 */

/** CSS: light and dark, from 320 px; every pair of text and ground has a contrast of at least 4.5 (WCAG 2.2 AA). */
export const style = `
:root{color-scheme:light dark;--ground:#eef1f5;--card:#fff;--ink:#17202b;--quiet:#4d5a69;--line:#c3ccd6;--field:#78858f;
--accent:#0b5cad;--accent-ink:#fff;--accent-strong:#08488a;--danger:#a3161f;--danger-ground:#fdeeee;--focus:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ground:#0f141a;--card:#1a212a;--ink:#eef2f6;--quiet:#aeb9c5;--line:#37424f;--field:#8090a0;
--accent:#7ab7ff;--accent-ink:#0a1a2c;--accent-strong:#a3cdff;--danger:#ffb0b0;--danger-ground:#3a1c20;--focus:#a3cdff}}
*{box-sizing:border-box}
html{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;background:var(--ground);color:var(--ink)}
header{margin:clamp(1.5rem,9vh,6rem) 0 1.25rem;display:flex;align-items:center;gap:.625rem;font-size:1.125rem;font-weight:650;letter-spacing:.01em}
header svg{width:1.875rem;height:1.875rem;color:var(--accent)}
main{width:calc(100% - 2rem);max-width:26rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.875rem;
box-shadow:0 1px 2px rgb(10 20 30/.06),0 12px 32px rgb(10 20 30/.08)}
h1{margin:0 0 .375rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em}
h1:focus{outline:none}
p{margin:0 0 1rem;overflow-wrap:anywhere}
.quiet{color:var(--quiet)}
label{display:block;margin:1.125rem 0 .375rem;font-weight:600}
input[type=text],input[type=password]{width:100%;padding:.6875rem .8125rem;font:inherit;color:inherit;background:var(--card);
border:1px solid var(--field);border-radius:.5rem}
input.code{font:600 1.5rem/1.3 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;letter-spacing:.12em;text-transform:uppercase;text-align:center}
button,a.button{display:block;width:100%;margin-top:1.25rem;padding:.75rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;
color:var(--accent-ink);background:var(--accent);border:1px solid transparent;border-radius:.5rem;cursor:pointer;overflow-wrap:anywhere}
button:hover{background:var(--accent-strong)}
button.second,a.button{margin-top:.75rem;color:var(--ink);background:transparent;border-color:var(--field)}
button.second:hover,a.button:hover{background:var(--ground)}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.alert{margin:1rem 0 0;padding:.75rem 1rem;color:var(--danger);background:var(--danger-ground);border-left:4px solid currentColor;border-radius:.375rem}
.or{display:flex;align-items:center;gap:.75rem;margin:1.5rem 0 .25rem;color:var(--quiet)}
.or::before,.or::after{content:"";flex:1;border-top:1px solid var(--line)}
dl{margin:1.25rem 0;padding:.25rem 1rem;background:var(--ground);border-radius:.5rem}
dl div{padding:.625rem 0}
dl div+div{border-top:1px solid var(--line)}
dt{color:var(--quiet);font-size:.875rem}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
dd.code{font:600 1.5rem/1.3 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;letter-spacing:.12em}
footer{margin:1.25rem 1rem 2rem;color:var(--quiet);font-size:.875rem;text-align:center;overflow-wrap:anywhere}
@media (max-width:26rem){main{padding:1.5rem 1.25rem}}
@media (forced-colors:active){button,a.button{border-color:currentColor}}
`
