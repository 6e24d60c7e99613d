-- In how many texts one word stands; answered by the text index alone. One branch for each word.
select {word_${number}:String} as word, count() as texts
from swarm.memories
where hasAnyTokens(text, [{word_${number}:String}])
