"""What this tool reports about its own surroundings: configuration, command line, network settings, files of its own.

Problems of the YAML have a table of their own in ``config/``, because their message says the place in a file.
"""

from __future__ import annotations

from reconciler.error_catalogue.explanation import About, Case, Explanation, Source


def _row(
    about: About, code: str, message: str, when: str, remedy: str, cases: tuple[Case, ...] = (), example: str = ""
) -> Explanation:
    return Explanation(code, message, when, remedy, Source.OURS, about, cases, example)


CONFIGURATION = (
    _row(
        About.CONFIGURATION,
        "configuration-invalid",
        "… in the configuration.",
        "Portal files or settings have problems; each is listed with its place.",
        "Mend the problems listed above; `reconcile validate` checks again.",
    ),
    _row(
        About.CONFIGURATION,
        "no-portals",
        "There is no portals.d in ….",
        "The command runs outside of a repository with portals.",
        "Run in a repository with portals, or name one with --chdir.",
        (
            Case(
                "The folder portals.d cannot be read.",
                "The folder's permissions keep this user out.",
                "Check the permissions of the folder.",
            ),
        ),
    ),
    _row(
        About.CONFIGURATION,
        "link-refused",
        "… is a link that leads out of the repository.",
        "A symbolic link under portals.d, schemas or state, or one of these, leads to somewhere else or into .git. "
        "Whoever may open a pull request may bring such a link, and what it leads to would be read or written.",
        "Put the file or the folder itself there.",
    ),
    _row(
        About.CONFIGURATION,
        "unknown-portal",
        "There is no portal ….",
        "An ID on the command line is no portal's.",
        "Known portals: ….",
    ),
    _row(
        About.CONFIGURATION,
        "scenario-unknown",
        "There is no scenario …. Known scenarios: ….",
        "The emulator does not have the scenario that was asked for.",
        "Name a known scenario with --emulate or RECONCILE_EMULATE, or leave it out to talk to Microsoft.",
    ),
    _row(
        About.CONFIGURATION,
        "plan-unreadable",
        "… is no plan that this tool can read.",
        "The file given to `show` or `apply --plan` is missing, is something else, or was written by another version.",
        "Name a file that `reconcile plan --out FILE` of this version has written.",
    ),
    _row(
        About.CONFIGURATION,
        "sku-unknown",
        "The catalogue has no SKU that matches ….",
        "No part number, SKU ID or title is like what was asked.",
        "New SKUs come before every list; `reconcile catalogue update` takes over Microsoft's present one.",
    ),
)
"""Arguments, portals or settings that cannot be used. Nothing was read from a tenant and nothing was written."""

MACHINE = (
    _row(
        About.MACHINE,
        "proxy-invalid",
        "The proxy that the environment names cannot be used.",
        "HTTPS_PROXY or ALL_PROXY is no address, or names a kind of proxy that is not supported.",
        "Set HTTPS_PROXY to an address such as http://proxy.example:3128.",
    ),
    _row(
        About.MACHINE,
        "certificate-file-missing",
        "SSL_CERT_FILE names …, which is not a file.",
        "The variable is wrong, and nobody would be trusted.",
        "Correct SSL_CERT_FILE, or unset it to use the operating system's certificates.",
    ),
    _row(
        About.MACHINE,
        "certificate-file-unusable",
        "SSL_CERT_FILE names …, which holds no certificate that can be read.",
        "The file is empty, damaged, in another form than PEM, or closed to this user; nobody would be trusted.",
        "Let SSL_CERT_FILE name a file with the CA's certificate as PEM (-----BEGIN CERTIFICATE-----), or unset it to "
        "use the operating system's certificates.",
        example="openssl x509 -inform der -in ca.cer -out ca.pem",
    ),
    _row(
        About.MACHINE,
        "certificate-folder-missing",
        "SSL_CERT_DIR names …, which is not a folder.",
        "The variable is wrong, and nobody would be trusted.",
        "Correct SSL_CERT_DIR, or unset it to use the operating system's certificates.",
    ),
    _row(
        About.MACHINE,
        "certificate-folder-unusable",
        "SSL_CERT_DIR names …, where OpenSSL finds no certificate.",
        "No file there is a certificate as PEM under the hash of its subject, as OpenSSL wants it; nobody would be "
        "trusted.",
        "Put the CA's certificate into the folder as PEM and run `openssl rehash` on it, name the file itself in "
        "SSL_CERT_FILE, or unset SSL_CERT_DIR to use the operating system's certificates.",
        example='openssl rehash "$SSL_CERT_DIR"',
    ),
    _row(
        About.MACHINE,
        "download-failed",
        "Could not download ….",
        "`reconcile catalogue update` did not get Microsoft's list.",
        "Check network and proxy, or download the file by hand and name it on the command line.",
    ),
    _row(
        About.MACHINE,
        "catalogue-unreadable",
        "This is not Microsoft's list of product names: ….",
        "Microsoft has changed the list's form, or a proxy answered in its place.",
        "Nothing was written. Get the file in a browser and pass it with --from FILE: …",
    ),
    _row(
        About.MACHINE,
        "catalogue-damaged",
        "The message names the file and what is wrong with it.",
        "The list of titles under state/ was edited or cut.",
        "Restore the file from git, or delete it and run `reconcile catalogue update`.",
    ),
    _row(
        About.MACHINE,
        "certificate-unreadable",
        "The certificate cannot be read: ….",
        "`reconcile certificate show` was given something else.",
        "Name a file that holds a certificate: PEM (-----BEGIN CERTIFICATE-----), DER (.cer), or a PFX.",
    ),
    _row(
        About.MACHINE,
        "key-exists",
        "… exists already, in ….",
        "`reconcile certificate create` does not write over a key: it cannot be made again.",
        "Make the new pair elsewhere with --directory: the old one is needed until Entra knows the new. To write over "
        "it, add --force.",
    ),
    _row(
        About.MACHINE,
        "key-in-git",
        "Git keeps … already, in ….",
        "A private key was committed.",
        "Git keeps what was committed: take the key's certificate out of Entra, and the file out with git rm --cached.",
    ),
    _row(
        About.MACHINE,
        "key-not-writable",
        "… cannot be written.",
        "The key pair has no place: no permission, or no space.",
        "Check the permissions of the folder, and the free space there.",
    ),
    _row(
        About.MACHINE,
        "path-outside",
        "… leads out of the repository.",
        "A relative path for a key pair, which no portal file could name.",
        "Name a folder inside the repository, or an absolute path.",
    ),
    _row(
        About.MACHINE,
        "init-blocked",
        "… cannot be read or written.",
        "`reconcile init` cannot write one of its files.",
        "Check the permissions of the folder, and the free space there.",
    ),
    _row(
        About.MACHINE,
        "port-unavailable",
        "Port … of 127.0.0.1 cannot be used: ….",
        "`reconcile emulator serve` cannot listen there.",
        "Choose another --port, or 0 for any that is free.",
    ),
    _row(
        About.MACHINE,
        "folder-unusable",
        "… is a link; keys are not written through it.",
        "`.emulator` is a symbolic link.",
        "Remove the link; the emulator makes the folder itself.",
    ),
)
"""What surrounds the program: network settings, files of its own, ports."""
