"""The WSDL of each service, with the address it was asked at; its schemas stand beside it."""

from functools import cache
from xml.sax.saxutils import quoteattr

from crm.operations.base import Operation
from crm.operations.registry import operations_of
from crm.wire.types import SCHEMAS

_BASE = "http://iec.ch/TC57/2011"
_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions name="{service}" targetNamespace="{base}/{service}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:tns="{base}/{service}"{namespaces}>
  <wsdl:types>
    <xs:schema targetNamespace="{base}/{service}">
{imports}
    </xs:schema>
  </wsdl:types>
"""
_MESSAGES = """  <wsdl:message name="{name}Message"><wsdl:part name="{name}" element="{asks}:{name}"/></wsdl:message>
  <wsdl:message name="{name}Response"><wsdl:part name="Response" element="{answers}:{answer}"/></wsdl:message>
  <wsdl:message name="{name}Fault"><wsdl:part name="Fault" element="{answers}:{fault}"/></wsdl:message>
"""
_PORT = """    <wsdl:operation name="{name}">
      <wsdl:input message="tns:{name}Message"/>
      <wsdl:output message="tns:{name}Response"/>
      <wsdl:fault name="{name}Fault" message="tns:{name}Fault"/>
    </wsdl:operation>
"""
_BINDING = """  <wsdl:binding name="{binding}" type="tns:{service}_Port">
    <{soap}:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
{operations}  </wsdl:binding>
"""
_BOUND = """    <wsdl:operation name="{name}">
      <{soap}:operation soapAction="{base}/{service}/{name}" style="document"/>
      <wsdl:input><{soap}:body use="literal"/></wsdl:input>
      <wsdl:output><{soap}:body use="literal"/></wsdl:output>
      <wsdl:fault name="{name}Fault"><{soap}:fault name="{name}Fault" use="literal"/></wsdl:fault>
    </wsdl:operation>
"""
_FOOT = """  <wsdl:service name="{service}Service">
    <wsdl:port name="{service}_Port" binding="tns:{service}_Binding"><soap:address location={address}/></wsdl:port>
    <wsdl:port name="{service}_Port12" binding="tns:{service}_Binding12">
      <soap12:address location={address}/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
"""


def wsdl_bytes(service: str, address: str) -> bytes:
    """The service's WSDL; `address`: where it answers."""
    return (_definition(service) + _FOOT.format(service=service, address=quoteattr(address))).encode()


@cache
def _definition(service: str) -> str:
    operations = operations_of(service)
    nouns = sorted({noun for one in operations for noun in (one.asks_in, one.answers_in)})
    prefixes = {noun: f"n{place}" for place, noun in enumerate(nouns)}
    parts = [
        _HEAD.format(
            service=service,
            base=_BASE,
            namespaces="".join(f'\n    xmlns:{prefixes[noun]}="{_BASE}/{noun}Message"' for noun in nouns),
            imports="\n".join(
                f'      <xs:import namespace="{_BASE}/{noun}Message" schemaLocation="{noun}Message.xsd"/>'
                for noun in nouns
            ),
        ),
        *(_messages(one, prefixes) for one in operations),
        f'  <wsdl:portType name="{service}_Port">\n',
        *(_PORT.format(name=one.name) for one in operations),
        "  </wsdl:portType>\n",
        _binding(service, operations, "soap", f"{service}_Binding"),
        _binding(service, operations, "soap12", f"{service}_Binding12"),
    ]
    return "".join(parts)


def _messages(one: Operation, prefixes: dict[str, str]) -> str:
    return _MESSAGES.format(
        name=one.name,
        asks=prefixes[one.asks_in],
        answers=prefixes[one.answers_in],
        answer=one.answer_element,
        fault=one.fault_element,
    )


def _binding(service: str, operations: list[Operation], soap: str, binding: str) -> str:
    bound = "".join(
        _BOUND.format(name=one.name, soap=soap, base=_BASE, service=service) for one in operations
    )
    return _BINDING.format(binding=binding, service=service, soap=soap, operations=bound)


def schema_bytes(name: str) -> bytes | None:
    """A schema by its file's name without .xsd; None if there is none."""
    return _schemas().get(name)


@cache
def _schemas() -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in SCHEMAS.glob("*.xsd")}
