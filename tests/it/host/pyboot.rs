//! pyboot's modules, as models of its time import them.

use hosts::StartError;
use tests::pool::options;

/// A2, A3: the imports that pyboot's own models begin with.
#[tokio::test]
async fn a2_a3_models_import_pyboot_s_modules() -> anyhow::Result<()> {
    let model = "
import os
from pyboot.conf import PYBOOT_HOME
from pyboot.conf.settings import MODEL_PATH, MODEL_REF_PREFIX, CHECK_SIZE, TIME_OUT
from pyboot.logger import log
import pyboot.conf.settings as settings
def handler(event, content):
    log.info('handled %s', event)
    return [os.path.isdir(PYBOOT_HOME), settings.PYBOOT_HOME == PYBOOT_HOME, MODEL_REF_PREFIX, CHECK_SIZE, TIME_OUT,
            MODEL_PATH == os.path.join(PYBOOT_HOME, 'modules/gridsum/science')]
";
    let mut pool = super::start(model).await?;
    assert_eq!(
        pool.call("0").await?,
        "[true,true,\"pyboot/modules/gridsum/science\",2048,120,true]"
    );
    Ok(())
}

/// A3: what there is not says what there is instead.
#[tokio::test]
async fn a3_the_rest_of_pyboot_says_what_there_is_instead() -> anyhow::Result<()> {
    for (import, expected) in [
        (
            "from pyboot.utils.db.dbprop import prop",
            "define the database in databases",
        ),
        (
            "from pyboot.conf.settings import MYSQL_SERVER",
            "define the database in databases",
        ),
        (
            "from pyboot.utils.common.ChkSum import GetFileMd5Byte",
            "copy the functions that the model needs",
        ),
        (
            "import pyboot.core.MqttThreader",
            "needs only handler(event, context)",
        ),
        (
            "from pyboot.conf import get_base_conf",
            "a model doesn't see the configuration",
        ),
        (
            "import pyboot.conf.config",
            "a model doesn't see the configuration",
        ),
        (
            "import pyboot.logger.plogging",
            "use `from pyboot.logger import log`",
        ),
        (
            "import pyboot.modules.gridsum.science.other.index",
            "each model runs in a process of its own",
        ),
    ] {
        let error = super::start(import).await.err();
        let error = error.and_then(|error| error.downcast::<StartError>().ok());
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains(expected), "{import}: {text}");
        assert!(text.contains("isn't part of edgemodel"), "{import}: {text}");
    }
    // Tools ask modules for names that they may have.
    let model = "
import pyboot, pyboot.conf
def handler(event, context):
    try:
        from .nothing import x
    except ModuleNotFoundError as error:
        return [hasattr(pyboot, 'anything'), hasattr(pyboot.conf, '__wrapped__'), str(error)]
";
    let mut pool = super::start(model).await?;
    assert_eq!(
        pool.call("0").await?,
        "[false,false,\"No module named 'pyboot.modules.gridsum.science.industry.nothing'\"]"
    );
    Ok(())
}

/// A4: as pyboot imported it, with what its own `__init__.py` does and a pickle of a class of one of its modules.
#[tokio::test]
async fn a4_a_package_with_its_own_init_and_a_pickle_of_its_class() -> anyhow::Result<()> {
    let index = "
import os, pickle
from progressive_predictor.alarm.alarm_operator import Alarm
def handler(event, content):
    path = os.path.dirname(os.path.abspath(__file__))
    name = [name for name in os.listdir(path) if '.model' in name][0]
    with open(os.path.join(path, name), 'rb') as file:
        model = pickle.load(file)
    event['alarmResult'] = model.level(event['value'])
    return [event, isinstance(model, Alarm), __package__]
";
    let (settings, directory) = options(index)?;
    let folder = settings.directory.join("progressive_predictor/alarm");
    std::fs::create_dir_all(&folder)?;
    let alarm = "
class Alarm(object):
    def __init__(self, limit):
        self.limit = limit
    def level(self, value):
        return 'HIGH_ALARM' if value > self.limit else 'NORMAL'
";
    std::fs::write(folder.join("alarm_operator.py"), alarm)?;
    std::fs::write(settings.directory.join("__init__.py"), "LOADED = True\n")?;
    let dump = "
import pickle, sys
sys.path.insert(0, sys.argv[1])
from progressive_predictor.alarm.alarm_operator import Alarm
with open(sys.argv[1] + '/x.model', 'wb') as file:
    pickle.dump(Alarm(5), file, protocol=2)
";
    let python = hosts::python(None)?;
    let dumped = std::process::Command::new(python)
        .args(["-B", "-c", dump])
        .arg(&settings.directory)
        .status()?;
    assert!(dumped.success());
    let mut pool = super::with("", |other| {
        other.directory.clone_from(&settings.directory);
        other.hosts = 2;
    })
    .await?;
    assert_eq!(
        pool.call("{\"value\": 6}").await?,
        "[{\"value\":6,\"alarmResult\":\"HIGH_ALARM\"},true,\"pyboot.modules.gridsum.science.industry\"]"
    );
    drop(directory);
    Ok(())
}

/// A12: a module has one state, whichever way it is imported.
#[tokio::test]
async fn a12_a_module_that_is_imported_by_two_names_is_one() -> anyhow::Result<()> {
    let (first, second) = (
        "import helper\nfrom .helper import state\n",
        "from .helper import state\nimport helper\n",
    );
    for imports in [first, second] {
        let index = format!(
            "
{imports}
from .sub import deep
import sub.deep
from pyboot.modules.gridsum.science.industry import helper as third
def handler(event, context):
    state.append(event)
    return [helper.state is state, third is helper, sub.deep is deep, deep.state is state, helper.state]
"
        );
        let (settings, directory) = options(&index)?;
        std::fs::write(settings.directory.join("helper.py"), "state = []\n")?;
        std::fs::create_dir(settings.directory.join("sub"))?;
        std::fs::write(
            settings.directory.join("sub/deep.py"),
            "from helper import state\n",
        )?;
        let mut pool =
            super::with("", |other| other.directory.clone_from(&settings.directory)).await?;
        assert_eq!(
            pool.call("1").await?,
            "[true,true,true,true,[1]]",
            "{imports}"
        );
        drop(directory);
    }
    Ok(())
}
