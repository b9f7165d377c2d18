"""What the bridge says to people, in English and Portuguese."""

from __future__ import annotations

import contextlib
import locale
import logging
import os
from typing import Any

LANGUAGES = ("en", "pt")
_LOGGER = logging.getLogger("ponte_mt5_bridge")

# key: (English, Portuguese)
_TEXTS: dict[str, tuple[str, str]] = {
    "started": (
        "bridge {version} runs with the journal {path} ({name}) and calls {url}",
        "ponte {version} em execução com o diário {path} ({name}), chamando {url}",
    ),
    "stopped": ("bridge stopped", "ponte encerrada"),
    "session": (
        "session {session} with Ponte; the terminal is logged into {login} at {server}",
        "sessão {session} com o Ponte; o terminal está na conta {login} em {server}",
    ),
    "account_changed": (
        "the terminal is now logged into {login} at {server}: a new session begins",
        "o terminal agora está na conta {login} em {server}: uma nova sessão começa",
    ),
    "command": ("command {number} of order {order}: {outcome}", "comando {number} da ordem {order}: {outcome}"),
    "works_again": ("Ponte answers again", "o Ponte voltou a responder"),
    "no_answer": (
        "Ponte does not answer ({error}); it is tried again",
        "o Ponte não responde ({error}); nova tentativa em breve",
    ),
    "wrong_certificate": (
        "who answers in Ponte's place is not who was expected ({error}): compare with `ponte bridge fingerprint`",
        "quem responde no lugar do Ponte não é quem se esperava ({error}): compare com `ponte bridge fingerprint`",
    ),
    "status": ("Ponte answered {error}; it is tried again", "o Ponte respondeu {error}; nova tentativa em breve"),
    "status_400": ("Ponte did not understand ({error})", "o Ponte não entendeu ({error})"),
    "status_401": (
        "the token is wrong ({error}): make one with `ponte bridge token ACCOUNT` and copy it here",
        "o token está errado ({error}): crie um com `ponte bridge token CONTA` e copie para cá",
    ),
    "status_409": (
        "another bridge holds this account ({error}): stop it, or give this one a token of its own",
        "outra ponte está usando esta conta ({error}): encerre-a ou dê a esta um token próprio",
    ),
    "status_410": ("Ponte was restarted; a new session begins", "o Ponte foi reiniciado; uma nova sessão começa"),
    "status_413": ("that was too much at a time; less is told", "foi demais de uma vez; será enviado menos"),
    "status_426": (
        "Ponte speaks another version of the protocol ({error}): update the older of the two",
        "o Ponte usa outra versão do protocolo ({error}): atualize o mais antigo dos dois",
    ),
    "no_package": (
        "the package MetaTrader5 is missing ({error}): it exists for Python on Windows; `pip install MetaTrader5`",
        "falta o pacote MetaTrader5 ({error}): ele existe para Python no Windows; `pip install MetaTrader5`",
    ),
    "journal_held": (
        "another bridge uses the journal {path}: stop it, or give this one its own with --journal",
        "outra ponte está usando o diário {path}: encerre-a ou dê a esta um próprio com --journal",
    ),
    "journal_broken": (
        "{error}: check the disk and its rights; never delete the journal while orders are on their way",
        "{error}: verifique o disco e as permissões; nunca apague o diário com ordens em andamento",
    ),
    "usage": ("{error}", "{error}"),
    "check_package": (
        "the package MetaTrader5 {version} is installed",
        "o pacote MetaTrader5 {version} está instalado",
    ),
    "check_terminal": ("the terminal answers: {name}, build {build}", "o terminal responde: {name}, build {build}"),
    "check_no_terminal": (
        "the terminal does not answer ({error}): start it, or name it with --terminal",
        "o terminal não responde ({error}): abra-o ou informe o caminho com --terminal",
    ),
    "check_connected": (
        "the terminal is connected to its trade server",
        "o terminal está conectado ao servidor da corretora",
    ),
    "check_not_connected": (
        "the terminal is not connected to its trade server: see its lower right corner, log in again",
        "o terminal não está conectado ao servidor da corretora: veja o canto inferior direito, faça login de novo",
    ),
    "check_account": (
        "logged into {login} at {server} ({kind}, {mode}, {currency})",
        "conta {login} em {server} ({kind}, {mode}, {currency})",
    ),
    "check_no_account": (
        "nobody is logged in: log into your account in the terminal",
        "ninguém está logado: faça login na sua conta no terminal",
    ),
    "check_other_account": (
        "the terminal is logged into {login}, this bridge is for {wanted}",
        "o terminal está na conta {login}, esta ponte é para {wanted}",
    ),
    "check_trading": ("algorithmic trading is allowed", "as negociações algorítmicas estão permitidas"),
    "check_no_button": (
        "algorithmic trading is switched off: press Algo Trading in the terminal's toolbar",
        "a negociação algorítmica está desligada: clique em Algotrading na barra do terminal",
    ),
    "check_api_disabled": (
        "Tools, Options, Expert Advisors: untick 'Disable automatic trading through the external Python API'",
        "Ferramentas, Opções, Expert Advisors: desmarque 'Desativar negociação algorítmica via API externa do Python'",
    ),
    "check_investor": (
        "this account can't trade: log in with the main password, not the investor's",
        "esta conta não pode negociar: entre com a senha principal, não com a de investidor",
    ),
    "check_server_forbids": (
        "the broker's server does not allow programs to trade in this account: ask the broker",
        "o servidor da corretora não permite que programas negociem nesta conta: fale com a corretora",
    ),
    "check_journal": ("the journal {path} can be written", "o diário {path} pode ser gravado"),
    "check_journal_held": (
        "a bridge is running with the journal {path}",
        "há uma ponte em execução com o diário {path}",
    ),
    "check_ponte": ("Ponte answers at {url}, and the token is right", "o Ponte responde em {url} e o token está certo"),
    "check_no_ponte": (
        "Ponte does not answer at {url} ({error}): does it run, is [bridge] listen its address, is the port open?",
        "o Ponte não responde em {url} ({error}): está em execução, [bridge] listen é o endereço, a porta está aberta?",
    ),
    "check_certificate": (
        "who answers at {url} is not who was expected ({error}): compare with `ponte bridge fingerprint`",
        "quem responde em {url} não é quem se esperava ({error}): compare com `ponte bridge fingerprint`",
    ),
    "check_status": ("Ponte answered {error}", "o Ponte respondeu {error}"),
    "demo": ("demo", "demonstração"),
    "contest": ("contest", "concurso"),
    "real": ("REAL MONEY", "DINHEIRO REAL"),
    "netting": ("netting", "netting"),
    "exchange": ("netting at an exchange", "netting em bolsa"),
    "hedging": ("hedging", "hedging"),
    "service_written": (
        "the task '{name}' was made: it starts when you log into Windows, and again if it ends",
        "a tarefa '{name}' foi criada: inicia no login do Windows e recomeça se terminar",
    ),
    "service_removed": ("the task '{name}' was removed", "a tarefa '{name}' foi removida"),
    "service_only_windows": (
        "tasks exist on Windows only: `service print` shows what would be made",
        "tarefas só existem no Windows: `service print` mostra o que seria criado",
    ),
    "service_failed": ("schtasks failed: {error}", "schtasks falhou: {error}"),
}


def default_language() -> str:
    """Portuguese where the system speaks it, else English."""
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    with contextlib.suppress(ValueError):
        names.append(locale.getlocale()[0] or "")
    chosen = next((name for name in names if name), "")
    return "pt" if chosen.lower().startswith(("pt", "portuguese")) else "en"


class Words:
    """Texts in one language."""

    def __init__(self, language: str) -> None:
        self._column = LANGUAGES.index(language)

    def text(self, key: str, **fields: Any) -> str:
        """The text with its fields filled in."""
        if key.startswith("status_") and key not in _TEXTS:
            key = "status"
        return _TEXTS[key][self._column].format(**fields)

    def log(self, key: str, **fields: Any) -> None:
        """Says it in the log."""
        _LOGGER.info(self.text(key, **fields))
