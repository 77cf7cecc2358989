"""Langfuse's callback for LangChain."""

from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langfuse import get_client
from langfuse.langchain import CallbackHandler

callback = CallbackHandler()
model = ChatOpenAI(model="gpt-4o-mini", temperature=0, max_retries=0)
prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
chain = prompt | model | StrOutputParser()
of_trace = {"langfuse_user_id": "user-1", "langfuse_session_id": "session-1", "langfuse_tags": ["a", "b"]}


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


chain.invoke({"question": "What is the capital of France?"}, config={"callbacks": [callback], "metadata": of_trace})
agent = create_agent(model, [weather])
agent.invoke({"messages": [("user", "What is the weather in Paris?")]}, config={"callbacks": [callback]})
for _ in chain.stream({"question": "What is the capital of France?"}, config={"callbacks": [callback]}):
    pass
try:
    chain.invoke({"question": "[fail]"}, config={"callbacks": [callback]})
except Exception as error:
    print("as ordered:", error)
get_client().flush()
