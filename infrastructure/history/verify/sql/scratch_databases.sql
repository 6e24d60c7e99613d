select name
from system.databases
where startsWith(name, {start:String})
