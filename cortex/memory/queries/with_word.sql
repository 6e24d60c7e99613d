-- The texts that one word stands in, and what it is worth; a text that was taken in twice counts once.
select distinct stream, stream_seq, {weight_${number}:Float64} as weight
from swarm.memories
where hasAnyTokens(text, [{word_${number}:String}])
    and (run_id != {except:String} or {except:String} = '')
    and ({run:String} = '' or run_id = {run:String})
